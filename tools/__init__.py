"""Programs that write what is generated: the pages and this project's own vectors."""
