// Each class runs a stack of ten services; two at once make a small machine wait, not faster.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
