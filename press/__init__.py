"""The press: runs the book's pages, proves what they show, and turns them into the site."""
