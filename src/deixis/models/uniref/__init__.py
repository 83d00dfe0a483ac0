"""UniRef and UniRef++: one network for references of every kind, words and masks, in images and in video."""
