"""Values and contracts: numpy and the standard library only; everything above imports from here."""
