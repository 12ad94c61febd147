using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Platform;

public class NetworkTests
{
    [Fact]
    public void The_chart_allows_the_calls_that_the_code_makes_and_no_others()
    {
        foreach (var app in Chart.Apps)
        {
            // Hosting's calls (API keys) are made by every service.
            var made = CodeFacts
                .Invocations(app)
                .Concat(CodeFacts.Invocations("common"))
                .Where(called => called != app)
                .Distinct()
                .Order();
            var allowed = Chart.Values.Items($"services.{app}.calls").Select(c => c.ToString()).Order();
            Assert.True(
                made.SequenceEqual(allowed),
                $"{app} calls {string.Join(", ", made)}; services.{app}.calls in charts/localplus/values.yaml says {string.Join(", ", allowed)}"
            );
        }
    }

    [Fact]
    public void What_one_side_may_send_the_other_side_lets_in()
    {
        var policies = Chart
            .Environment("prod")
            .Where(o => o.Kind() == "CiliumNetworkPolicy")
            .ToDictionary(p => p.Name());
        Assert.Equal(Chart.Apps.Select(a => $"svc-{a}"), policies.Keys.Order());
        var sent = Flows("egress", "toEndpoints", (self, other) => (self, other));
        var received = Flows("ingress", "fromEndpoints", (self, other) => (other, self));
        Assert.Equal(sent, received);

        (string From, string To)[] Flows(string direction, string peers, Func<string, string, (string, string)> flow) =>
            [
                .. from policy in policies.Values
                from rule in policy.Items($"spec.{direction}")
                from peer in rule.Items(peers)
                let name = peer.Map("matchLabels").GetValueOrDefault("app.kubernetes.io/name")
                where name is not null
                orderby flow(policy.Name(), name)
                select flow(policy.Name(), name),
            ];
    }

    [Fact]
    public void The_world_reaches_a_service_only_through_the_gateway()
    {
        foreach (var policy in Chart.Environment("prod").Where(o => o.Kind() == "CiliumNetworkPolicy"))
        {
            var open = Assert.Single(policy.Items("spec.ingress"), r => r.At("fromEntities") is not null);
            Assert.Equal("[\"ingress\"]", open.At("fromEntities")!.ToJsonString());
            Assert.Equal("8080", open.Text("toPorts.0.ports.0.port"));
            Assert.All(policy.Items("spec.ingress"), r => Assert.NotNull(r.At("toPorts")));
        }
    }

    /// <summary>Source, destination and port of all that is let out on one side and let in on the other.</summary>
    [Fact]
    public void Who_may_talk_to_whom_is_as_committed()
    {
        var policies = Chart
            .Environment("prod")
            .Where(o => o.Kind() == "CiliumNetworkPolicy")
            .Concat(Yaml.Load(Repository.At("platform/gitops/edge/cloudflared.yaml")))
            .Where(o => o.Kind() == "CiliumNetworkPolicy")
            .ToArray();
        var lines = policies
            .SelectMany(p => Rules(p, "ingress").Select(r => $"{r.Peer} > {p.Name()} {r.Port}"))
            .Concat(policies.SelectMany(p => Rules(p, "egress").Select(r => $"{p.Name()} > {r.Peer} {r.Port}")))
            .Distinct()
            .Order(StringComparer.Ordinal);
        Golden.Check("flows.txt", string.Join('\n', lines) + "\n");

        static IEnumerable<(string Peer, string Port)> Rules(JsonNode policy, string direction) =>
            from rule in policy.Items($"spec.{direction}")
            let ports = rule.Items("toPorts").SelectMany(p => p.Items("ports")).ToArray()
            from port in ports.Length > 0 ? ports.Select(p => $"{p.Text("port")}/{p.Text("protocol")}") : ["any"]
            from peer in Peers(rule)
            select (peer, port);

        static IEnumerable<string> Peers(JsonNode rule) =>
            new[] { "fromEntities", "toEntities" }
                .SelectMany(kind => rule.Items(kind).Select(e => e.ToString()))
                .Concat(rule.Items("toCIDR").Select(c => c.ToString()))
                .Concat(rule.Items("toFQDNs").Select(f => f.Text("matchName")))
                .Concat(
                    new[] { "fromEndpoints", "toEndpoints" }.SelectMany(kind =>
                        rule.Items(kind).Select(e => string.Join('/', e.Map("matchLabels").Select(l => l.Value)))
                    )
                );
    }

    [Fact]
    public void The_gateway_has_no_address_that_anybody_outside_could_reach()
    {
        var objects = new[] { "network", "namespaces/prod", "edge" }
            .SelectMany(folder => Yaml.Parse(Tools.Kustomize($"platform/gitops/{folder}")))
            .ToArray();
        var gateway = Chart.Environment("prod").Single(o => o.Kind() == "Gateway");
        var listener = Assert.Single(gateway.Items("spec.listeners"));
        Assert.Equal("HTTPS 443", $"{listener.Text("protocol")} {listener.Text("port")}");
        var type = objects.Single(o => o.Kind() == "GatewayClass" && o.Name() == gateway.Text("spec.gatewayClassName"));
        var service = objects
            .Single(o =>
                o.Kind() == type.Text("spec.parametersRef.kind") && o.Name() == type.Text("spec.parametersRef.name")
            )
            .At("spec.service");
        Assert.Equal("io.cilium/l2-announcer", service.Text("loadBalancerClass"));
        Assert.Equal("false", service.Text("allocateLoadBalancerNodePorts"));
        Assert.Equal("0", objects.Single(o => o.Kind() == "ResourceQuota").Map("spec", "hard")["services.nodeports"]);

        var cilium = Yaml.Load(Repository.At("platform/gitops/values/cilium.yaml")).Single();
        Assert.Equal("true none", $"{cilium.Text("l2announcements.enabled")} {cilium.Text("defaultLBServiceIPAM")}");
        Assert.DoesNotContain(
            Directory.GetFiles(Repository.At("platform/gitops"), "*.yaml", SearchOption.AllDirectories),
            file => File.ReadAllText(file).Contains("kind: CiliumL2AnnouncementPolicy", StringComparison.Ordinal)
        );
        Assert.StartsWith(
            "198.18.",
            objects.Single(o => o.Kind() == "CiliumLoadBalancerIPPool").Text("spec.blocks.0.cidr"),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void The_tunnel_leads_to_the_gateway_and_survives_a_drain()
    {
        var objects = Yaml.Parse(Tools.Kustomize("platform/gitops/edge"));
        var tunnel = objects.Single(o => o.Kind() == "Deployment");
        var budget = objects.Single(o => o.Kind() == "PodDisruptionBudget");
        Assert.True((long)budget.At("spec.minAvailable")! < (long)tunnel.At("spec.replicas")!);
        Assert.True((long)tunnel.At("spec.replicas")! >= 2);
        var gateway = Chart.Environment("prod").Single(o => o.Kind() == "Gateway");
        Assert.Contains(
            $"\"https://cilium-gateway-{gateway.Name()}.localplus:{gateway.Text("spec.listeners.0.port")}\"",
            Repository.Read("platform/terraform/cloudflare/variables.tf"),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void The_mail_server_of_the_cloud_is_the_one_that_notification_may_reach()
    {
        var server = Chart.Values.Text("services.notification.env.LP_MAIL_SERVER");
        Assert.Contains(
            Chart.Values.Items("services.notification.internet"),
            i => $"{i.Text("host")}:{i.Text("port")}" == server
        );
    }

    [Fact]
    public void Notification_alone_reaches_any_public_host_at_the_ports_of_webhooks_and_no_private_one()
    {
        var open = Chart
            .Environment("prod")
            .Where(o => o.Kind() == "CiliumNetworkPolicy")
            .SelectMany(p => p.Items("spec.egress").Where(r => r.At("toCIDRSet") is not null), (p, r) => (p, r))
            .ToArray();
        var (policy, rule) = Assert.Single(open);
        Assert.Equal("svc-notification", policy.Name());
        Assert.Equal(
            Regex
                .Match(
                    Repository.Read("services/notification/Webhooks/WebhookHosts.cs"),
                    @"IReadOnlyList<int> Ports = \[([0-9, ]+)\]"
                )
                .Groups[1]
                .Value.Split(", "),
            rule.Items("toPorts.0.ports").Select(port => port.Text("port"))
        );
        var everything = rule.Items("toCIDRSet").Single(set => set.Text("cidr") == "0.0.0.0/0");
        Assert.Superset(
            new HashSet<string>
            {
                "10.0.0.0/8",
                "100.64.0.0/10",
                "127.0.0.0/8",
                "169.254.0.0/16",
                "172.16.0.0/12",
                "192.168.0.0/16",
            },
            everything.Items("except").Select(e => e.ToString()).ToHashSet()
        );
    }
}
