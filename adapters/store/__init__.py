"""SQLAlchemy tables and the Store over them."""
