"""Drafting a policy from a document's prose: what `checklists.adopt` is put together from."""
