using System.Text.Json.Nodes;
using LocalPlus.Client.Catalog;

namespace LocalPlus.Tests.Unit.Client;

/// <summary>
/// The table of verbs against what the services say of themselves: contracts/openapi and contracts/access.csv.
/// </summary>
public sealed class ApiTableTests
{
    private static readonly string[] OfPages = ["limit", "cursor"];

    public static TheoryData<string> Names => [.. ApiTable.Verbs.Select(verb => verb.FullName)];

    [Fact]
    public void No_two_verbs_have_one_name() =>
        Assert.Empty(ApiTable.Verbs.GroupBy(verb => verb.FullName).Where(same => same.Count() > 1).Select(g => g.Key));

    [Fact]
    public void Every_noun_says_what_it_is() =>
        Assert.Equal(ApiTable.Verbs.Select(verb => verb.Noun).Distinct().Order(), ApiTable.Nouns.Keys.Order());

    [Theory]
    [MemberData(nameof(Names))]
    public void A_verb_has_its_route(string name) => Assert.All(Routes(name), route => Assert.NotNull(route.Operation));

    [Theory]
    [MemberData(nameof(Names))]
    public void A_verb_knows_every_parameter_of_the_query_and_no_other(string name)
    {
        var verb = Verb(name);
        Assert.All(
            Routes(name),
            route =>
            {
                var query = route.Parameters("query").Where(p => !OfPages.Contains(p.Name)).ToList();
                Assert.Equal(query.Select(p => p.Name).Order(), verb.FilterNames.Order());
                Assert.Equal(query.Where(p => p.IsRequired).Select(p => p.Name).Order(), verb.RequiredFilters.Order());
            }
        );
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_verb_pages_where_the_route_does(string name) =>
        Assert.All(
            Routes(name),
            route =>
                Assert.Equal(route.Parameters("query").Any(p => p.Name == "cursor"), Verb(name).Kind == VerbKind.Pages)
        );

    /// <summary>Of several services each column is a member of what some of them answer.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void The_columns_of_a_verb_are_members_of_what_is_answered(string name)
    {
        var verb = Verb(name);
        Assert.All(
            verb.ColumnsOfTable,
            column =>
            {
                var found = Routes(name)
                    .Select(route => (Route: route, Schema: column.Path.Split('.').Aggregate(Row(route), route.Member)))
                    .Where(member => member.Schema is not null)
                    .ToList();
                Assert.True(found.Count > 0, $"{name}: {column.Path}");
                Assert.All(found, member => Assert.Equal(column.IsMoney, member.Route.IsMoney(member.Schema)));
            }
        );

        JsonNode? Row(Contract route) =>
            verb.Kind == VerbKind.Show ? route.Answer : route.Member(route.Answer, "data")?["items"];
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_fields_of_a_verb_are_those_of_the_body(string name)
    {
        var verb = Verb(name);
        Assert.All(
            Routes(name),
            route =>
            {
                Assert.All(verb.Fields, field => Assert.NotNull(route.Member(route.Body, field.Name)));
                // The ones that the route needs, and those that may be left out have to be said to be.
                Assert.Equal(
                    route.RequiredFields.Order(),
                    verb.Fields.Where(field => field.IsRequired).Select(field => field.Name).Order()
                );
                Assert.Equal(route.NeedsBody && route.RequiredFields.Length == 0, verb.HasEmptyBody);
                if (verb.DryRunField is { } dry)
                {
                    Assert.NotNull(route.Member(route.Body, dry));
                }
            }
        );
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_verb_sends_an_idempotency_key_where_the_route_takes_one(string name) =>
        Assert.All(
            Routes(name),
            route => Assert.Equal(route.Parameters("header").Any(p => p.Name == "Idempotency-Key"), Verb(name).IsKeyed)
        );

    [Theory]
    [MemberData(nameof(Names))]
    public void A_verb_says_who_may_and_who_has_to_have_signed_in_lately(string name)
    {
        var verb = Verb(name);
        Assert.All(
            Routes(name),
            route =>
            {
                var needs = Contract.Access[$"{verb.Method} {route.Path}"].Split(' ');
                Assert.Equal(needs[0], verb.Needs);
                Assert.Equal(needs.Contains("step_up"), verb.IsDangerous);
            }
        );
    }

    [Fact]
    public void Whatever_an_operator_decides_has_a_reason_where_the_API_keeps_one() =>
        Assert.All(
            ApiTable.Verbs.Where(verb => verb.IsOfOperators && verb.Kind == VerbKind.Write && verb.Body.Length > 0),
            verb =>
                Assert.Equal(
                    verb.Fields.Any(field => field is { Name: "reason", IsRequired: true }),
                    Routes(verb.FullName).All(route => route.RequiredFields.Contains("reason"))
                )
        );

    private static ApiVerb Verb(string name) => ApiTable.Verbs.Single(verb => verb.FullName == name);

    private static IEnumerable<Contract> Routes(string name)
    {
        var verb = Verb(name);
        return verb.HasServices
            ? verb.ServiceNames.Select(service =>
                Contract.Of(verb.Method, verb.Path.Replace(ApiVerb.ServicePart, service, StringComparison.Ordinal))
            )
            : [Contract.Of(verb.Method, verb.Path)];
    }
}
