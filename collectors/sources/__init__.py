"""One public source a file: how its responses are read and what is published of them."""
