"""`diff`: what an edited mapping or rate card would change on a cycle, or what a correction did."""
