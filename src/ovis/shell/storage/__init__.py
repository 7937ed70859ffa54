"""Storage for people: repositories of images on one host, and images moved in and out of them, without any manager."""
