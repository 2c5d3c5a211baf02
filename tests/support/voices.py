"""Who answers in the engine's tests, and what they are asked."""

from multilora import tenants
from multilora.tenants import folder_of

BASE = folder_of("base")
FRUITS = "List 3 fruits:"
FAMOUS = "Table users(id,name). Query all names:"
VOICES = [None, *tenants.tenant_names()]
