#include <cstdio>

int main() {
  std::puts("qylon " QYLON_VERSION);
  return 0;
}
