"""Reading the Hugging Face Hub: listings, surveys and counters."""
