"""Child processes: started, probed, restarted and stopped, and never outliving their parent."""
