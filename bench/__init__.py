"""`make bench` and `make profile`: how fast the stack is, and where its time goes."""
