#include "api.h"

// Of which sources this library was built; build.py defines it.
TRIMTAB_API const char* trimtab_digest() { return TRIMTAB_DIGEST; }
