"""What the stack is measured against, on the same tables, behind the same nginx."""
