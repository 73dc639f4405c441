"""Tables of single commands: who may ask what, and what is answered."""
