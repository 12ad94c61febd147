using System.Text.Json.Nodes;

namespace LocalPlus.Tests.Platform;

public class ComponentCatalogueTests
{
    private const string Kafka = """
        apiVersion: dapr.io/v1alpha1
        kind: Component
        metadata: { name: pubsub }
        spec:
          type: pubsub.kafka
          version: v1
          metadata:
            - { name: brokers, value: "kafka:9092" }
            - { name: authType, value: "none" }
            - { name: NAME, value: "VALUE" }
        """;

    [Fact]
    public void Fault_31_every_component_has_names_and_values_that_Dapr_takes()
    {
        var components = Directory
            .GetFiles(Repository.At("components"), "*.yaml", SearchOption.AllDirectories)
            .Order()
            .SelectMany(file =>
                Yaml.Load(file)
                    .Select(component => (File: Path.GetRelativePath(Repository.Root, file), Component: component))
            )
            .Where(c => c.Component.Kind() == "Component")
            .ToArray();
        Assert.NotEmpty(components);
        Assert.Empty(
            components.SelectMany(c => ComponentCatalogue.Faults(c.Component).Select(fault => $"{c.File} {fault}"))
        );
    }

    [Theory]
    [InlineData("producerRequiredAcks", "-1")]
    [InlineData("initialOffset", "earliest")]
    [InlineData("sessionTimeout", "10")]
    [InlineData("maxMessageBytes", "1Mi")]
    [InlineData("disableTls", "yes")]
    [InlineData("version", "3")]
    [InlineData("requiredAcks", "all")]
    [InlineData("brokers", "again:9092")]
    public void Fault_31_what_Dapr_would_refuse_or_misread_is_found(string name, string value) =>
        Assert.Single(ComponentCatalogue.Faults(With(name, value)));

    [Theory]
    [InlineData("producerRequiredAcks", "all")]
    [InlineData("sessionTimeout", "1m30s")]
    [InlineData("version", "3.0.0")]
    public void What_Dapr_takes_is_no_fault(string name, string value) =>
        Assert.Empty(ComponentCatalogue.Faults(With(name, value)));

    [Fact]
    public void What_is_required_and_what_contradicts_itself_is_found()
    {
        var broadcast = Yaml.Parse(
                """
                metadata: { name: broadcast }
                spec:
                  type: pubsub.redis
                  version: v1
                  metadata: [{ name: maxLenApprox, value: "1000" }, { name: streamTTL, value: "5m" }]
                """
            )
            .Single();
        Assert.Equal(
            [
                "broadcast: pubsub.redis/v1 needs redisHost",
                "broadcast: maxLenApprox and streamTTL contradict each other",
            ],
            ComponentCatalogue.Faults(broadcast)
        );
    }

    private static JsonObject With(string name, string value) =>
        Yaml.Parse(
                Kafka.Replace("NAME", name, StringComparison.Ordinal).Replace("VALUE", value, StringComparison.Ordinal)
            )
            .Single();
}
