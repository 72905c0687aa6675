"""python -m training.retrieval"""

from .train import main

if __name__ == "__main__":
    main()
