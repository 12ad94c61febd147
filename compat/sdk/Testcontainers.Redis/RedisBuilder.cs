namespace Testcontainers.Redis;

/// <summary>
/// Describes a private Valkey or Redis server. Commands are the server's own options
/// (<c>--appendonly yes</c>); nothing is written durably unless asked for.
/// </summary>
public sealed class RedisBuilder
{
    public const string RedisImage = "redis:7.0";
    public const ushort RedisPort = 6379;

    private readonly string[] command;

    public RedisBuilder()
        : this(RedisImage)
    {
    }

    /// <param name="image">Not looked at: there is one installed server.</param>
    public RedisBuilder(string image)
        : this([]) => ArgumentException.ThrowIfNullOrEmpty(image);

    private RedisBuilder(string[] command) => this.command = command;

    public RedisBuilder WithImage(string image)
    {
        ArgumentException.ThrowIfNullOrEmpty(image);
        return this;
    }

    public RedisBuilder WithCommand(params string[] command) => new([.. this.command, .. command]);

    public RedisContainer Build() => new(command);
}
