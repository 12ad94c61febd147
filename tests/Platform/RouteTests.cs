using System.Text.Json.Nodes;

namespace LocalPlus.Tests.Platform;

public class RouteTests
{
    private static readonly JsonObject[] File = Yaml.Load(Repository.At("charts/localplus/files/httproutes.yaml"));

    /// <summary>The console's pages, which no description of the API has; they ask several services each.</summary>
    private const string Pages = "/console";

    /// <summary>Links in mails, whose readers are not signed in.</summary>
    private const string Unsubscribe = "/unsubscribe";

    [Theory]
    [InlineData(
        "merchant",
        "/v1/merchants",
        "/v1/api_keys",
        "/v1/locations",
        "/v1/team_members",
        "/ops/v1/merchant",
        "/v1/audit",
        "/v1/requests",
        "/ops/v1/audit",
        "/ops/v1/merchants",
        "/ops/v1/flags"
    )]
    [InlineData(
        "giftcard",
        "/v1/acceptances",
        "/v1/programs",
        "/v1/rewards",
        "/v1/gift_cards",
        "/v1/redemptions",
        "/v1/holds",
        "/v1/jobs",
        "/v1/terminals",
        "/v1/reports/liability",
        "/v1/reports/breakage",
        "/v1/reports/settlement",
        "/v1/reports/funnel",
        "/ops/v1/runs",
        "/ops/v1/giftcard"
    )]
    [InlineData("ledger", "/v1/accounts", "/v1/transactions", "/v1/checkpoints", "/ops/v1/ledger")]
    [InlineData(
        "wallet",
        "/v1/customers",
        "/v1/loyalty_programs",
        "/v1/loyalty_partnerships",
        "/v1/loyalty_rewards",
        "/v1/members",
        "/v1/earning_rules",
        "/v1/earnings",
        "/ops/v1/wallet"
    )]
    [InlineData(
        "analytics",
        "/v1/reports/daily",
        "/v1/reports/value",
        "/v1/reports/cohorts",
        "/v1/reports/activity",
        "/v1/reports/loyalty",
        "/v1/reports/wallets",
        "/ops/v1/analytics"
    )]
    [InlineData("console", Pages, "/ops/v1/console")]
    [InlineData(
        "notification",
        "/v1/events",
        "/v1/notifications",
        "/v1/notification_preferences",
        "/v1/notification_settings",
        "/v1/notification_suppressions",
        "/v1/notification_templates",
        "/v1/webhook_endpoints",
        "/ops/v1/notification",
        Unsubscribe
    )]
    public void What_merchants_and_operators_reach_of_a_service_is_routed_to_it(
        string app,
        params string[] resources
    ) => Assert.Equal(resources.Order(), Paths(Route(app)).Order());

    [Fact]
    public void Every_service_has_one_route_and_no_path_is_another_ones_prefix()
    {
        Assert.Equal(Chart.Apps, File.Select(r => r.Name()).Order());
        var paths = File.SelectMany(Paths).ToArray();
        foreach (var path in paths)
        {
            Assert.Single(paths, other => other == path || other.StartsWith(path + "/", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Nothing_internal_can_be_reached_through_the_gateway()
    {
        Assert.All(
            File.SelectMany(Paths).Where(p => p is not (Pages or Unsubscribe)),
            p => Assert.Matches("^/(ops/)?v1/[a-z_]+(/[a-z_]+)?$", p)
        );
        Assert.All(
            Chart.Apps.SelectMany(CodeFacts.InsidePaths),
            path => Assert.DoesNotContain(File.SelectMany(Paths), route => IsBelow(path, route))
        );
    }

    [Fact]
    public void Every_path_that_a_service_has_is_routed_to_it()
    {
        foreach (var app in Chart.Apps)
        {
            foreach (var path in CodeFacts.PublicPaths(app))
            {
                Assert.True(
                    Paths(Route(app)).Any(route => IsBelow(path, route)),
                    $"{app} has {path}, which charts/localplus/files/httproutes.yaml does not route to it"
                );
            }
        }
    }

    [Fact]
    public void Every_service_has_endpoints_and_every_route_leads_to_one() =>
        Assert.All(
            Chart.Apps,
            app =>
            {
                var paths = CodeFacts.PublicPaths(app).ToArray();
                Assert.NotEmpty(paths);
                Assert.All(
                    Paths(Route(app)).Where(route => route is not (Pages or Unsubscribe)),
                    route => Assert.Contains(paths, path => IsBelow(path, route))
                );
            }
        );

    [Theory]
    [InlineData("dev")]
    [InlineData("staging")]
    [InlineData("prod")]
    public void The_chart_ships_the_file_with_hostnames_to_a_gateway_and_services_that_exist(string environment)
    {
        var objects = Chart.Environment(environment);
        var gateway = objects.Single(o => o.Kind() == "Gateway");
        var routes = objects.Where(o => o.Kind() == "HTTPRoute").ToArray();
        Assert.Equal(File.Select(r => r.Name()).Order(), routes.Select(r => r.Name()).Order());
        foreach (var route in routes)
        {
            var plain = Route(route.Name());
            Assert.Equal(Paths(plain), Paths(route));
            Assert.Equal(gateway.Name(), route.Text("spec.parentRefs.0.name"));
            Assert.NotEmpty(route.Items("spec.hostnames"));
            foreach (var rule in route.Items("spec.rules"))
            {
                Assert.Equal(
                    route.Name() == "console" ? "8s 7s" : "5s 4s",
                    $"{rule.Text("timeouts.request")} {rule.Text("timeouts.backendRequest")}"
                );
                var backend = rule.Items("backendRefs").Single();
                var service = objects.Single(o => o.Kind() == "Service" && o.Name() == backend.Text("name"));
                Assert.Contains(service.Items("spec.ports"), p => p.Text("port") == backend.Text("port"));
                Assert.Equal($"svc-{route.Name()}", service.Name());
            }
        }
    }

    private static bool IsBelow(string path, string route) =>
        path == route || path.StartsWith(route + "/", StringComparison.Ordinal);

    private static JsonObject Route(string app) => File.Single(r => r.Name() == app);

    private static IEnumerable<string> Paths(JsonNode route) =>
        route.Items("spec.rules").SelectMany(r => r.Items("matches")).Select(m => m.Text("path.value"));
}
