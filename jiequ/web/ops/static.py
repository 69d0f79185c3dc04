"""Static files under hashed names, gzipped once, so that a browser keeps them for ever and never shows an old one."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedFiles(CompressedManifestStaticFilesStorage):
    """Also rewrites the imports between our ES modules. A name that is not in the manifest is an error."""

    support_js_module_import_aggregation = True
    keep_only_hashed_files = False
