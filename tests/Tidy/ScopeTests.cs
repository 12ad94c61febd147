using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Tidy;

public partial class ScopeTests
{
    private const string Grantable = "services/merchant/Keys/Scopes.cs";

    [Fact]
    public void An_API_key_can_carry_every_scope_that_an_endpoint_asks_for_and_no_other()
    {
        var asked = Tree.Code("services")
            .SelectMany(file => Asked().Matches(Tree.Read(file)))
            .Select(match => match.Groups[1].Value)
            .Distinct()
            .Order(StringComparer.Ordinal);

        Assert.Equal(asked, Scope().Matches(Tree.Read(Grantable)).Select(match => match.Groups[1].Value));
    }

    [GeneratedRegex(@"RequireScope\(""([^""]+)""\)")]
    private static partial Regex Asked();

    [GeneratedRegex(@"""([a-z_]+:[a-z]+)""")]
    private static partial Regex Scope();
}
