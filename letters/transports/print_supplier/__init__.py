"""A print supplier over HTTP, in the manner of WebDAV: our client, and a stub. docs/letters.md has the protocol."""
