"""What runs on the device: functions in Triton's subset of Python, without Python's types."""
