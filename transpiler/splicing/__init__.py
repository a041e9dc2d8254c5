"""Cuts cells out of the notebook with libcst and puts them into functions; checks that their trees stay the same."""
