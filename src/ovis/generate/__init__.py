"""What is made from a schema: Python types and codecs, clients, HTML reference, coverage. Each writer returns text."""
