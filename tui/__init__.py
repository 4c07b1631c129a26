"""The operator: command line, Textual application, screens and widgets."""
