"""Deployment to neutral cards: the only place with wording."""
