namespace Grpc.Core;

/// <summary>Base of every generated client.</summary>
public abstract class ClientBase
{
    /// <summary>For mocks that override every call.</summary>
    protected ClientBase() => Configuration = new ClientBaseConfiguration(null);

    protected ClientBase(ClientBaseConfiguration configuration) => Configuration = configuration;

    public ClientBase(ChannelBase channel)
        : this(channel.CreateCallInvoker())
    {
    }

    public ClientBase(CallInvoker callInvoker) => Configuration = new ClientBaseConfiguration(callInvoker);

    protected CallInvoker CallInvoker =>
        Configuration.CallInvoker ?? throw new NotSupportedException("This client was made without a call invoker.");

    internal ClientBaseConfiguration Configuration { get; }

    /// <summary>Carries the invoker from one client instance to another.</summary>
    protected internal class ClientBaseConfiguration
    {
        internal ClientBaseConfiguration(CallInvoker? callInvoker) => CallInvoker = callInvoker;

        internal CallInvoker? CallInvoker { get; }
    }
}

/// <summary>Base of every generated client, typed.</summary>
public abstract class ClientBase<T> : ClientBase
    where T : ClientBase<T>
{
    protected ClientBase()
    {
    }

    protected ClientBase(ClientBaseConfiguration configuration)
        : base(configuration)
    {
    }

    public ClientBase(ChannelBase channel)
        : base(channel)
    {
    }

    public ClientBase(CallInvoker callInvoker)
        : base(callInvoker)
    {
    }

    protected abstract T NewInstance(ClientBaseConfiguration configuration);
}
