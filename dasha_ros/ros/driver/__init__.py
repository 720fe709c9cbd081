"""Camera nodes of other packages as cameras and lenses: parameters set, pictures and metadata heard."""
