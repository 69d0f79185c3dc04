"""Every way to change what the door keeps."""
