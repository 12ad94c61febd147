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

    [Fact]
    public void The_mail_server_of_the_cloud_is_the_one_that_notification_may_reach()
    {
        var smtp = Yaml.Load(Repository.At("components/clouds/aws/smtp.yaml")).Single();
        var host = smtp.Items("spec.metadata").Single(m => m.Text("name") == "host").Text("value");
        Assert.Contains(Chart.Values.Items("services.notification.internet"), i => i.Text("host") == host);
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
