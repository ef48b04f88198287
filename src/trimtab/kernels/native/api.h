// What the library shows to the outside: plain C functions of addresses, sizes and scalars.
#pragma once

#define TRIMTAB_API extern "C" __attribute__((visibility("default")))
