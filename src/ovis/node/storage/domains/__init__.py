"""Storage domains: file and block ones behind one interface, their life cycle and their monitoring."""
