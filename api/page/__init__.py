"""The web page: the API's figures as tables and charts."""
