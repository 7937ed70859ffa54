"""File operations on storage, in processes of their own that may hang and be replaced."""
