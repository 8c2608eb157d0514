"""Values from Faker: names, addresses, companies, in the user's locale."""

from synode_df.fields.fake.generator import Fake, fake, is_distinct
from synode_df.fields.fake.instances import AddressedFaker, check_locale

__all__ = ["AddressedFaker", "Fake", "check_locale", "fake", "is_distinct"]
