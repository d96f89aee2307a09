"""What a checklist is: a team's Markdown document and the policy beside it. Pure: text in, frozen objects out."""
