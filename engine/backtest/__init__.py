"""History through the desk's own decision code: what it reads, what it judges first, what comes out."""
