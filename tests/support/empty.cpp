// Gives the precompiled header of the test programs a translation unit.
