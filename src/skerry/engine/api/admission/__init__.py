"""Admission: what may still change or refuse a write once it is understood and authorised. One plug-in per file."""
