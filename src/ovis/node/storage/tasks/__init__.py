"""Long operations on storage: sagas whose progress survives the process that runs them."""
