"""Quality: runs the Great Expectations gates and stores every result."""
