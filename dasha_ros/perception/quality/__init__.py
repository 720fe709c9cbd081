"""No-reference quality of a picture: BRISQUE, histogram, sharpness."""
