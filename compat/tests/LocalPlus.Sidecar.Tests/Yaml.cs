namespace LocalPlus.Sidecar.Tests;

/// <summary>The resources that the tests use.</summary>
internal static class Yaml
{
    public const string Memory =
        "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: store\nspec:\n  type: state.in-memory\n  version: v1\n";

    public const string Events =
        "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: pubsub\nspec:\n  type: pubsub.in-memory\n  version: v1\n---\n"
        + Subscriptions;

    public const string Subscriptions = """
        apiVersion: dapr.io/v2alpha1
        kind: Subscription
        metadata:
          name: orders
        spec:
          pubsubname: pubsub
          topic: orders
          routes:
            default: /orders
          deadLetterTopic: orders-dead
        ---
        apiVersion: dapr.io/v2alpha1
        kind: Subscription
        metadata:
          name: dead
        spec:
          pubsubname: pubsub
          topic: orders-dead
          routes:
            default: /dead
        ---
        apiVersion: dapr.io/v1alpha1
        kind: Resiliency
        metadata:
          name: retries
        spec:
          policies:
            retries:
              twice: { policy: constant, duration: 20ms, maxRetries: 2 }
          targets:
            components:
              pubsub:
                inbound: { retry: twice }

        """;

    public static string State(int port) =>
        $"apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: store\nspec:\n  type: state.redis\n  version: v1\n"
        + $"  metadata:\n  - name: redisHost\n    value: \"127.0.0.1:{port}\"\n";

    public static string Storage(string root) =>
        "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: files\n"
        + "spec:\n  type: bindings.localstorage\n  version: v1\n"
        + $"  metadata:\n  - name: rootPath\n    value: \"{root}\"\n";

    public static string Postgres(string connection) =>
        "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: store\nspec:\n  type: state.postgresql\n  version: v2\n"
        + $"  metadata:\n  - name: connectionString\n    value: \"{connection}\"\n";

    public static string Valkey(int port) =>
        $"""
            apiVersion: dapr.io/v1alpha1
            kind: Component
            metadata:
              name: pubsub
            spec:
              type: pubsub.redis
              version: v1
              metadata:
              - name: redisHost
                value: "127.0.0.1:{port}"
              - name: processingTimeout
                value: "200ms"
              - name: redeliverInterval
                value: "200ms"
            ---

            """ + Subscriptions;

    /// <summary>The same with bulk deliveries of what has come within a moment.</summary>
    public static string Bulk(int port) =>
        Valkey(port)
            .Replace(
                "deadLetterTopic: orders-dead",
                "deadLetterTopic: orders-dead\n  bulkSubscribe: { enabled: true, maxMessagesCount: 100, maxAwaitDurationMs: 10 }",
                StringComparison.Ordinal
            );
}
