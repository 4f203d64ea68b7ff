"""The image formats of 2008 to 2011, each beside the native one (v23-rc2).

Nothing above knows them: an old image is upgraded, bytes to bytes, and the native image is what
is looked at or restarted. A native image is written as an older one in the same way, or refused
in words, where that version had no place for what is in it.
"""
