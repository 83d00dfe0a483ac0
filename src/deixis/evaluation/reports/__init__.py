"""What an evaluation leaves behind: JSON, CSV, Markdown and a page that needs no network."""
