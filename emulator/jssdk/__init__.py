"""The JS-SDK: a script that stands for jweixin, its signature check, and what the phone gives pages."""
