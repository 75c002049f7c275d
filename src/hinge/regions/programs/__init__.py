"""A network on a domain as a program: the few operations that a subdivision has to follow."""
