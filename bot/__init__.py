"""The go/no-go bot: rules, services and the way from a chat to the database and back."""
