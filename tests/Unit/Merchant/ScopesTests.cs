using LocalPlus.Merchant.Keys;

namespace LocalPlus.Tests.Unit.Merchant;

public sealed class ScopesTests
{
    [Fact]
    public void The_list_is_sorted_and_has_no_doubles() =>
        Assert.Equal(Scopes.All.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal), Scopes.All);

    [Fact]
    public void A_scope_is_a_noun_and_read_or_write() =>
        Assert.All(Scopes.All, scope => Assert.Matches("^[a-z_]+:(read|write)$", scope));
}
