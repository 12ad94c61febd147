using System.Text;
using System.Text.Json.Nodes;
using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Merchant.Keys;
using LocalPlus.Merchant.Team;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Identity;

/// <summary>
/// Who may ask for what, out of the services' descriptions, which say what their endpoints enforce: one row a route,
/// one column for everybody who may come.
/// </summary>
internal static class AccessTable
{
    public static readonly string[] Services =
    [
        "analytics",
        "console",
        "giftcard",
        "ledger",
        "merchant",
        "notification",
        "wallet",
    ];

    private static readonly string[] OperatorRoles = ["viewer", "operator", "admin"];

    /// <summary>A route, and what its declaration asks for.</summary>
    /// <param name="Kind">merchant, operator or inside.</param>
    /// <param name="Needs">The scope, the role, or the services that may call.</param>
    internal sealed record Route(string Service, string Verb, string Path, string Kind, string[] Needs, bool StepUp)
    {
        public bool NamesAnObject => Path.Contains('{', StringComparison.Ordinal);

        /// <summary>The path with something in place of its parameters, which who may not come never learns.</summary>
        public string Example => string.Join('/', Path.Split('/').Select(part => part.StartsWith('{') ? "1" : part));
    }

    public static IEnumerable<Route> Routes(string service) =>
        Described(service, service).Concat(Described(service, $"internal/{service}"));

    /// <summary>The table as text, in the order of services and paths.</summary>
    public static string Write()
    {
        var roles = Enum.GetValues<TeamRole>();
        var table = new StringBuilder(
            "service,route,needs,anonymous,expired_key,key_with_scope,key_without_scope,other_merchant,"
                + string.Join(',', roles.Select(Roles.Text))
                + ",viewer,operator,admin,service\n"
        );
        foreach (var route in Services.SelectMany(Routes))
        {
            table.AppendLine(System.Globalization.CultureInfo.InvariantCulture, $"{Row(route, roles)}");
        }

        foreach (var method in LedgerService.Descriptor.Methods.Select(method => method.Name).Order())
        {
            var rpc = new Route("ledger", "gRPC", method, "inside", ["giftcard", "wallet"], StepUp: false);
            table.AppendLine(System.Globalization.CultureInfo.InvariantCulture, $"{Row(rpc, roles)}");
        }

        return table.ToString();
    }

    private static string Row(Route route, TeamRole[] roles)
    {
        var needs = string.Join(' ', route.Needs) + (route.StepUp ? " step_up" : "");
        string[] cells = route.Kind switch
        {
            "merchant" =>
            [
                "401",
                "401",
                "yes",
                "403",
                route.NamesAnObject ? "404" : "own",
                .. roles.Select(role => route.Needs.All(Roles.ScopesOf(role).Contains) ? "yes" : "403"),
                "401",
                "401",
                "401",
                "404",
            ],
            "operator" =>
            [
                "401",
                "401",
                "401",
                "401",
                "401",
                .. roles.Select(_ => "403"),
                .. OperatorRoles.Select(
                    (_, rank) =>
                        rank < Array.IndexOf(OperatorRoles, route.Needs[0]) ? "403"
                        : route.StepUp ? "signed_in_lately"
                        : "yes"
                ),
                "404",
            ],
            _ =>
            [
                .. Enumerable.Repeat("404", 5 + roles.Length + OperatorRoles.Length),
                string.Join(' ', route.Needs) is { Length: > 0 } callers ? callers : "sidecar",
            ],
        };
        return string.Join(',', [route.Service, $"{route.Verb} {route.Path}", needs, .. cells]);
    }

    private static IEnumerable<Route> Described(string service, string document)
    {
        var file = Path.Combine(ApiContract.Root(), "contracts", "openapi", $"{document}.json");
        var paths = JsonNode.Parse(File.ReadAllText(file))!["paths"]!.AsObject();
        return from path in paths.OrderBy(path => path.Key, StringComparer.Ordinal)
            from operation in path.Value!.AsObject().OrderBy(operation => operation.Key, StringComparer.Ordinal)
            select Of(service, path.Key, operation.Key, operation.Value!);
    }

    private static Route Of(string service, string path, string verb, JsonNode operation)
    {
        var security = Assert.Single(Assert.Single(operation["security"]!.AsArray())!.AsObject());
        string[] needs = [.. security.Value!.AsArray().Select(need => need!.GetValue<string>())];
        var kind = security.Key switch
        {
            "merchant_key" => "merchant",
            "operator_token" => "operator",
            _ => "inside",
        };
        Assert.True(
            needs.Length == 1 || kind == "inside",
            $"{verb} {path} of {service} needs {needs.Length} scopes or roles"
        );
        if (kind == "merchant")
        {
            Assert.True(Scopes.IsKnown(needs[0]), $"{verb} {path} of {service}: nobody can have {needs[0]}");
        }

        var isStepUp = operation["responses"]?["401"]?.ToJsonString().Contains("step_up", StringComparison.Ordinal);
        return new(service, verb.ToUpperInvariant(), path, kind, needs, isStepUp is true);
    }
}
