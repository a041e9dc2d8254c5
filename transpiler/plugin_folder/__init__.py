"""What stands beside a plugin in `.port`: lock file, base, stamp, kept notebook, and the lock on the folder."""
